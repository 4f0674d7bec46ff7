"""Run the evaluator service."""

from services.evaluator.service import register
from services.rpc.server import serve

serve(register, "evaluator")

from services.generator.service import register
from services.rpc.server import serve

serve(register, "generator")

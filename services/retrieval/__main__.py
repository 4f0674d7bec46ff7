from services.retrieval.service import register
from services.rpc.server import serve

serve(register, "retrieval")

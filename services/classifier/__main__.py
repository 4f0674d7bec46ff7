from services.classifier.service import register
from services.rpc.server import serve

serve(register, "classifier")

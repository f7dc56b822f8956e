export { CallFailure } from './call-failure.ts'
export { type Methods, openGrpcServer } from './grpc-server.ts'
export { duplex, responses, unary } from './service.ts'

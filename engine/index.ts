export { type ListenAddress, parseListenAddresses, type TlsFiles } from './daemon/listen-address.ts'
export { serveEngine } from './daemon/serve.ts'

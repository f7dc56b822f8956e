export { type ListenAddress, parseListenAddresses, type TlsFiles } from './daemon/listen-address.ts'
export { type ServeOptions, serveEngine } from './daemon/serve.ts'
export { type Engine, type EngineOptions, openEngine } from './engine.ts'

export { IdleWatch } from './idle-watch.ts'
export { type ListenOptions, listenOn } from './listen.ts'
export { type ListenAddress, parseListenAddresses, type TlsFiles } from './listen-address.ts'

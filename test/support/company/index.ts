export { makeAuthority, makeSigned } from './certificates.ts'
export { type Company, GATEWAY, OUTSIDE, startCompany } from './company.ts'
export { type GatewayProxy, startHttpProxy, startSocksProxy } from './proxies.ts'
export { pushOutside, startOutsideRegistry } from './registry.ts'

export { makeAuthority, makeSigned } from './company/certificates.ts'
export { type Company, GATEWAY, OUTSIDE, startCompany } from './company/company.ts'
export { basicAuth } from './company/login.ts'
export { type GatewayProxy, startHttpProxy, startSocksProxy } from './company/proxies.ts'
export { pushOutside, startOutsideRegistry } from './company/registry.ts'
export {
  at,
  CONTAINER,
  HOST,
  type Lab,
  type LabHost,
  NEIGHBOUR,
  startLab,
  WORLD,
} from './lab/lab.ts'
export { LabProgram, serveTest } from './lab/lab-program.ts'
export {
  type Asked,
  answerTo,
  type Behaviour,
  freeAddress,
  NameServer,
  questionFor,
} from './lab/name-server.ts'
export { ownNetwork } from './own-network.ts'

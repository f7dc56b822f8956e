export { EngineClient } from './client.ts'
export {
  chosenEndpoint,
  type DockerEndpoint,
  type EndpointChoice,
  formatEndpoint,
  parseEndpoint,
  usualSockets,
} from './endpoint/docker-endpoint.ts'
export { EngineError } from './errors.ts'
export { pathOf } from './request.ts'
export { demultiplex, type OutputSinks, sinkOf } from './streams/demultiplex.ts'
export { DETACH_KEYS, DetachKeys, parseDetachKeys } from './streams/detach-keys.ts'
export { type Dialer, openDialer } from './transport/dialer.ts'
export { isBefore } from './version.ts'

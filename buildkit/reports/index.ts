export { checkJson } from './check-json.ts'
export { chainMessage, chainOf } from './error-chain.ts'
export {
  outlineJson,
  REQUEST_VERSION,
  REQUESTS,
  requestsJson,
  targetsJson,
} from './outline-json.ts'

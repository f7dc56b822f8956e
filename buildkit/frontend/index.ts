export { frontendOptions } from './frontend-options.ts'
export {
  type FrontendSource,
  type FrontendSources,
  frontendSources,
} from './frontend-sources.ts'

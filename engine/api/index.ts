export { type Api, createApi } from './api.ts'
export type { EngineServices, KeptLimits, LogQuery } from './engine-services.ts'

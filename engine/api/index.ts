export { type Api, createApi } from './api.ts'
export type { EngineServices, LogQuery } from './engine-services.ts'

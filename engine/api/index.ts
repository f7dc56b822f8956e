export { type Api, createApi } from './api.ts'
export type { EngineServices, KeptLimits, LogQuery } from './engine-services.ts'
export type { Commit, Download, FileServices, Upload } from './file-services.ts'

export { createApi } from './api.ts'
export type { BuildkitDoor } from './services/buildkit-door.ts'
export type { EngineServices, LogQuery } from './services/engine-services.ts'
export type { Commit, Download, FileServices, Upload } from './services/file-services.ts'

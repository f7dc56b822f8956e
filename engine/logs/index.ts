export type { ContainerLog } from './container-log.ts'
export type { LogLine, LogStream } from './format/log-line.ts'
export { logAttributes, logPath, type OpenLogOptions, openLog } from './open-log.ts'
/** @internal */
export type { LogDriver, LogOptions } from './options/check-options.ts'
export { checkLogOptions } from './options/check-options.ts'
/** @internal */
export type { LoggedContainer } from './options/logged-container.ts'
/** @internal */
export type { ReadOptions } from './reading/read-log.ts'

export { startMemoryEngine } from './memory-engine.ts'
export { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts'

export { startMemoryEngine } from './memory-engine.ts'
export {
  type EngineRecord,
  startRecordingEngine,
} from './recording-engine.ts'
export { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts'

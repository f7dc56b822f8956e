export { startMemoryEngine } from './memory-engine.ts'
export {
  type EngineRecord,
  type RecordingEngine,
  startRecordingEngine,
} from './recording-engine.ts'
export { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts'

export { type Documents, openDocuments } from './documents.ts'
export { engineId } from './engine-id.ts'
export { type EngineEvent, Events, type NewEvent } from './events.ts'

export { type Documents, openDocuments } from './documents.ts'
export { type EngineEvent, Events, type NewEvent } from './events.ts'

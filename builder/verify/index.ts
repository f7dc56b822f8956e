export type { Reported, Verification } from './report.ts'
export { verifyStore } from './verify-store.ts'

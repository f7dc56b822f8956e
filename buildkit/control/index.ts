export { callFailure } from './call-failure.ts'
export { controlServices, type ServiceOptions } from './services.ts'

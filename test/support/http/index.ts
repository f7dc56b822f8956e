export { formsOf } from './address-forms.ts'
export { TestTiming } from './test-timing.ts'

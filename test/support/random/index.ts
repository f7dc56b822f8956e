export { fuzz } from './fuzz.ts'
export { havoc, textHavoc } from './havoc.ts'
export { seededRandom } from './seeded-random.ts'
export { orTyped, orTypedLater } from './typed.ts'

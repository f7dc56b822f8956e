import { deepStacksSuite } from './deep-stacks.ts'

// docker runs images of up to 127 layers, and overlayfs takes 500 directories: the first that are merged.
describe('build: deep stacks', () => deepStacksSuite([127, 128, 501]))

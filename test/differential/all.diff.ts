import {
  generateCases,
  generateFileCases,
  readCases,
  tableNames,
} from '../support/differential/index.ts'
import { differentialSuite } from './suite.ts'

describe('everything that BuildKit builds alike', () => {
  // A failure names its seed; another one finds other things.
  const seed = Number(process.env.TSBUILD_DIFF_SEED ?? 2)
  const tables = tableNames().filter((name) => name !== 'images')
  const generated = [...generateCases(seed, 150), ...generateFileCases(seed, 60)]
  differentialSuite([...tables.flatMap(readCases), ...generated])
})

import {
  bestWitness,
  generateCases,
  generateFileCases,
  readCases,
  tableNames,
} from '../support/differential/index.ts'
import { differentialSuite } from './suite.ts'

const witness = bestWitness()

describe(`everything that BuildKit builds alike: ${witness}`, () => {
  // A failure names its seed; another one finds other things.
  const seed = Number(process.env.TSBUILD_DIFF_SEED ?? 2)
  const tables = tableNames(witness).filter((name) => name !== 'images')
  const generated = [...generateCases(seed, 150), ...generateFileCases(seed, 60)]
  const written = tables.flatMap((table) => readCases(table, witness))
  differentialSuite([...written, ...generated], witness)
})

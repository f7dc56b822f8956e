import {
  bestWitness,
  generateFileCases,
  inContainer,
  inThisProcess,
  readCases,
} from '../support/differential/index.ts'
import { OF_COPIES, OF_IN_PLACE } from './differences.ts'
import { differentialSuite } from './suite.ts'

/** What steps and copies do to files: 300 cases. Where overlay and namespaces cannot be had, it is the same. */
const CASES = 300

const witness = bestWitness()
const tables = ['run', 'add', 'copy', 'meeting', 'places', 'heredocs', 'stages']
const written = tables.flatMap((table) => readCases(table, witness))
const seed = Number(process.env.TSBUILD_DIFF_SEED ?? 2)
const cases = [...generateFileCases(seed, 60), ...written].slice(0, CASES)

describe(`what BuildKit builds alike, with copies for snapshots: ${witness}`, () => {
  const startWay = async () => inThisProcess({ snapshotter: 'copies' })
  differentialSuite(cases, witness, { startWay, differences: OF_COPIES })
})

describe(`what BuildKit builds alike, in place in a container: ${witness}`, () => {
  differentialSuite(cases, witness, { startWay: inContainer, differences: OF_IN_PLACE })
})

export { Differential } from './differential.ts'
export { generateCases } from './generate.ts'
export { type DifferentialCase, readCases, tableNames } from './tables.ts'

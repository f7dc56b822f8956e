/** The suite of sandboxes with the runtime whose path is in `TSBUILD_TEST_RUNTIME`; default: runc. */
import { runtimeSuite } from './runtime-suite.ts'

await runtimeSuite(process.env.TSBUILD_TEST_RUNTIME ?? 'runc')

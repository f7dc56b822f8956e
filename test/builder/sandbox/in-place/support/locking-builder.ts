/** Takes the root, writes a line, and keeps it until it is killed. */
import { lockRoot } from '../../../../../builder/sandbox/in-place/root-lock.ts'

await lockRoot({ signal: undefined, onWait: () => undefined })
process.stdout.write('locked\n')
setInterval(() => undefined, 1000)

/** Writes a result file in a process with limited rights: see `LIMITED`. */
import { prepareResultFile, writeResultFile } from '../../../cli/io/result-files.ts'
import { answer, becomeUser } from '../../support/rights/index.ts'

becomeUser(process.argv[2])
await answer((path: string) => {
  prepareResultFile(path)
  writeResultFile(path, 'x')
  return 'written'
})

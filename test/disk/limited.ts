/** Says what a process with limited rights finds: see `LIMITED`. */
import { fileRights, homeFolder } from '#disk'
import { answer, becomeUser } from '../support/rights/index.ts'

export interface Found {
  readonly rights: ReturnType<typeof fileRights>
  readonly home: string
}

becomeUser(process.argv[2])
// The system's answer, which looks there first.
delete process.env.HOME
await answer((): Found => ({ rights: fileRights(), home: homeFolder({}) }))

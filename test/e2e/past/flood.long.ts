import { busyboxBase, temporaryDirectory } from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { checkFlood } from './flood.ts'

describe('a step that prints 5 GB', function () {
  this.timeout(1_800_000)

  it('takes no more memory and space than one that prints 24 MB', async () => {
    using directory = temporaryDirectory('flood')
    const base = `base=oci-layout://${await busyboxBase()}`
    const argsFor = (step: string): readonly string[] => {
      const files = { Dockerfile: `FROM base\n${step}\n` }
      return ['--build-context', base, writeContext(directory.file('context'), files)]
    }
    await checkFlood(5_000_000_000, argsFor, directory.file('store'))
  })
})

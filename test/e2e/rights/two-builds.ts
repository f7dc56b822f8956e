/** Starts two builds in place at the same time, in one process, and prints what each made. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { build } from '#builder'

const [base = ''] = process.argv.slice(2)
const names = ['one', 'two']
const waits: string[] = []

async function buildNamed(name: string): Promise<string> {
  const context = `/volume/context-${name}`
  mkdirSync(context)
  writeFileSync(
    `${context}/Dockerfile`,
    [
      `FROM base`,
      `RUN mkdir /made && echo ${name} >> /made/who`,
      `RUN sleep 0.4 && cat /made/who >> /made/result`,
      `RUN echo end >> /made/result`,
    ].join('\n'),
  )
  const dest = `/volume/out-${name}`
  await build({
    context,
    isolation: 'in-place',
    root: '/volume/store',
    contexts: { base: `oci-layout://${base}` },
    outputs: [{ type: 'local', dest }],
    onEvent: (event) => {
      if (event.type === 'started' && /wait for another build/.test(event.name)) waits.push(name)
    },
  })
  return readFileSync(`${dest}/made/result`, 'utf8')
}

const made = await Promise.all(names.map(buildNamed))
process.stdout.write(JSON.stringify({ made, waits: waits.length }))

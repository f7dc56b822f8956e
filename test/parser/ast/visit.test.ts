import assert from 'node:assert/strict'
import { type Dockerfile, instructionsOf, parseDockerfile, visitDockerfile } from '#parser'

const SOURCE = `# syntax=docker/dockerfile:1
ARG TAG=1
# the base
FROM a:$TAG AS first
RUN x \\
  # inside
  && y
ONBUILD COPY a b
FROM first
CMD c
`

function parse(): Dockerfile {
  const { dockerfile, diagnostics } = parseDockerfile(SOURCE)
  assert.deepEqual(diagnostics, [])
  return dockerfile
}

describe('visitDockerfile', () => {
  it('calls for every node, in file order', () => {
    const calls: string[] = []
    visitDockerfile(parse(), {
      directive: ({ name }) => calls.push(`directive ${name}`),
      comment: ({ text }) => calls.push(`comment ${text.trim()}`),
      stage: ({ index }) => calls.push(`stage ${index}`),
      instruction: ({ kind }) => calls.push(kind),
    })
    assert.deepEqual(calls, [
      'directive syntax',
      'arg',
      'stage 0',
      'comment the base',
      'from',
      'comment inside',
      'run',
      'onbuild',
      'copy',
      'stage 1',
      'from',
      'cmd',
    ])
  })

  it('calls by the kind of an instruction, after the function for all', () => {
    const calls: string[] = []
    visitDockerfile(parse(), {
      instruction: ({ kind }) => calls.push(kind),
      from: ({ image }) => calls.push(`FROM ${image.raw}`),
      cmd: () => calls.push('CMD'),
    })
    assert.deepEqual(calls.slice(1, 3), ['from', 'FROM a:$TAG'])
    assert.deepEqual(calls.slice(-2), ['cmd', 'CMD'])
  })

  it('says where an instruction stands', () => {
    const places: (readonly [string, number | undefined, boolean])[] = []
    visitDockerfile(parse(), {
      instruction: ({ kind }, { stage, onbuild }) =>
        places.push([kind, stage?.index, onbuild !== undefined]),
    })
    assert.deepEqual(places[0], ['arg', undefined, false])
    assert.deepEqual(
      places.filter(([, , isTrigger]) => isTrigger),
      [['copy', 0, true]],
    )
  })
})

describe('instructionsOf', () => {
  it('has the instructions in file order, without triggers', () => {
    assert.deepEqual(
      [...instructionsOf(parse())].map(({ kind }) => kind),
      ['arg', 'from', 'run', 'onbuild', 'from', 'cmd'],
    )
  })
})

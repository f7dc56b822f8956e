import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { fuzz } from '../../support/random/index.ts'
import { changedFile, checkParsing, mixedText } from '../any-dockerfile.ts'
import { changedText, checkPrinting, likelyFile } from '../print/likely-file.ts'

describe('fuzz: Dockerfiles', () => {
  fuzz('F1: are parsed or refused, whatever they hold', {
    name: 'dockerfiles',
    inputs: fc.oneof(
      mixedText,
      changedFile.map((bytes) => Buffer.from(bytes).toString()),
    ),
    check: checkParsing,
  })

  fuzz('F1: come back as they were when they are printed', {
    name: 'printed',
    inputs: fc.oneof(likelyFile, changedText),
    check: (source) => void checkPrinting(source),
  })
})

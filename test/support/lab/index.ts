export {
  at,
  CONTAINER,
  HOST,
  type Lab,
  type LabHost,
  NEIGHBOUR,
  startLab,
  WORLD,
} from './lab.ts'
export {
  type Asked,
  answerTo,
  type Behaviour,
  freeAddress,
  NameServer,
  questionFor,
} from './name-server.ts'

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

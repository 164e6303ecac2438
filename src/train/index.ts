export { parseTrainConfig, type TrainConfig, trainSchema } from './config.ts'
export { type TrainEvent, type TrainGptOptions, type TrainOutcome, trainGpt } from './gpt.ts'
export type { BatchTensors } from './hold-batch.ts'
export { type Metrics, RunFolder, type TrainerState } from './run-folder.ts'
export type {
  DataSetup,
  Draw,
  EvaluateOptions,
  Evaluation,
  Facts,
  Options,
  Preprocessor,
  ShownExample,
  Task,
  TaskKind,
  TaskParts,
} from './task.ts'
export { DivergedError, type StepResult, Trainer, type TrainerOptions } from './trainer.ts'

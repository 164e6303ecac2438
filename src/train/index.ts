export type { BatchTensors } from '../pipelines/hold-batch.ts'
export { parseTrainConfig } from './config.ts'
export type { TrainConfig } from './config-schema.ts'
export { type EvaluateRunOptions, evaluateRun, type RunEvaluation } from './evaluate-run.ts'
export { encodeRows } from './examples.ts'
export { type Prediction, predictRun } from './predict-run.ts'
export { type ReportOptions, reportRun } from './report/report-run.ts'
export { type Metrics, RunFolder, type TrainerState } from './run-folder.ts'
export type {
  BatchSetup,
  ConfigContext,
  DataSetup,
  Draw,
  EvaluateOptions,
  Evaluation,
  Facts,
  Options,
  Preprocessor,
  ShownExample,
  Task,
  TaskContext,
  TaskData,
  TaskDefinition,
  TrainingBatches,
} from './task.ts'
export { type OpenedRun, openRun } from './task-file.ts'
export { registerTask, trainTasks } from './tasks/index.ts'
export {
  type Start,
  type TrainEvent,
  type TrainModelOptions,
  type TrainOutcome,
  trainModel,
} from './train-model.ts'
export { DivergedError, type StepResult, Trainer, type TrainerOptions } from './trainer.ts'

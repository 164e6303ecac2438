/**
 * Training, evaluation and prediction of tasks, run folders, and the registry of tasks.
 * @module
 */

export type { BatchTensors } from '../pipelines/hold-batch.ts'
export {
  type Batching,
  type Draw,
  type RunOptions,
  runExamples,
} from '../pipelines/run-examples.ts'
export {
  encoderInputs,
  padded,
  padId,
  type TextExample,
  textBatch,
} from '../pipelines/text-examples.ts'
export { type AdvantageOptions, generalizedAdvantages } from './align/advantages.ts'
export {
  type AnswerScores,
  type DpoLossOptions,
  dpoLoss,
  type KtoLossOptions,
  ktoLoss,
  type PairScores,
  type RewardLossOptions,
  rewardLoss,
} from './align/losses.ts'
export {
  type GrpoLossOptions,
  grpoLoss,
  type PolicyScores,
  type PpoLossOptions,
  type PpoScores,
  ppoLoss,
  type RlooLossOptions,
  rlooLoss,
} from './align/policy-losses.ts'
export type { ContrastiveLoss } from './cached-gradients.ts'
export type { ComputedOn } from './computed-on.ts'
export { parseTrainConfig } from './config.ts'
export type { CommonConfig, TrainConfig } from './config-schema.ts'
export {
  cosineDistance,
  type DivergenceOptions,
  divergence,
  everyNth,
} from './distill/index.ts'
export { type EvaluateRunOptions, evaluateRun, type RunEvaluation } from './evaluate-run.ts'
export type { EvaluationData } from './evaluation-data.ts'
export { type EncodeOptions, encodeRows } from './examples.ts'
export {
  type AskedShot,
  type DrawnAccuracy,
  type FewShotOptions,
  type FewShotResult,
  fewShot,
  type ShotAccuracy,
} from './few-shot/few-shot.ts'
export { type ReadShots, type ReadShotsOptions, readShots } from './few-shot/read-shots.ts'
export type { Shot } from './few-shot/shots.ts'
export type { Metrics } from './metrics-file.ts'
export type { LossTerms, Splitting } from './micro-batches.ts'
export { type OpenJudgeOptions, openJudge } from './open-judge.ts'
export { type OpenedRun, type OpenOptions, openRun } from './open-run.ts'
export { type Prediction, type PredictRunOptions, predictRun } from './predict-run.ts'
export type { Point } from './report/metrics-log.ts'
export {
  describeRuns,
  type ReportOptions,
  type RunsReport,
  reportRun,
} from './report/report-run.ts'
export type { EvaluatedOn, RunEvaluationReport, RunReport } from './report/run-report.ts'
export { RunFolder, type TrainerState } from './run-folder.ts'
export type {
  BatchReport,
  BatchSetup,
  ConfigContext,
  DataSetup,
  Distillation,
  EvaluateOptions,
  Evaluation,
  Facts,
  HeldOutExamples,
  HeldOutSetup,
  NewTask,
  Options,
  Outputs,
  PrepareSetup,
  Preprocessor,
  RowEncoder,
  ShownExample,
  ShownPiece,
  Task,
  TaskContext,
  TaskData,
  TaskDefinition,
  TrainingBatches,
} from './task.ts'
export type { TableOptions } from './task-data.ts'
export type { TaskModel } from './task-model.ts'
export { registerTask, trainTasks } from './tasks/index.ts'
export { evaluateLabels, type LabelResults, predictionOf } from './tasks/label-report.ts'
export {
  indexOfLabel,
  type LabelColumn,
  labelConfig,
  labelsIn,
  surveyLabels,
} from './tasks/labels.ts'
export { textIn, valueIn } from './tasks/text.ts'
export { TextTask } from './tasks/text-task.ts'
export {
  type Start,
  type TrainEvent,
  type TrainModelOptions,
  type TrainOutcome,
  trainModel,
} from './train-model.ts'
export { type TrainedWeights, wholeModel } from './trained-weights.ts'
export { DivergedError, type StepResult, Trainer, type TrainerOptions } from './trainer.ts'

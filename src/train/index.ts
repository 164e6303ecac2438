export { parseTrainConfig, type TrainConfig, trainSchema } from './config.ts'
export { type TrainEvent, type TrainGptOptions, type TrainOutcome, trainGpt } from './gpt.ts'
export { type Metrics, RunFolder, type TrainerState } from './run-folder.ts'
export { DivergedError, type StepResult, Trainer, type TrainerOptions } from './trainer.ts'

// Names of torch.optim that have another name in Heed. A call throws an error with Heed's name.
import { answerToMethods, answerToProperties } from '../util/other-names.ts'
import { LRScheduler } from './lr-scheduler.ts'
import { Optimizer } from './optimizer.ts'

answerToMethods(Optimizer.prototype, { add_param_group: 'groups in the constructor' })
answerToProperties(Optimizer.prototype, { param_groups: 'groups' })
answerToMethods(LRScheduler.prototype, { get_last_lr: 'optimizer.groups[0].lr' })

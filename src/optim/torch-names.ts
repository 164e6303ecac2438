// Names of torch.optim that Heed spells differently: a call answers with the name here.
import { answerToMethods, answerToProperties } from '../util/other-names.ts'
import { LRScheduler } from './lr-scheduler.ts'
import { Optimizer } from './optimizer.ts'

answerToMethods(Optimizer.prototype, { add_param_group: 'the list of groups for the constructor' })
answerToProperties(Optimizer.prototype, { param_groups: 'groups' })
answerToMethods(LRScheduler.prototype, { get_last_lr: 'optimizer.groups[0].lr' })

// All methods, in the order in which help lists them. A new method needs a line here.
import './lora.ts'
import './ia3.ts'
import './prompt.ts'
import './p-tuning.ts'
import './prefix.ts'
import './vpt.ts'
import './bottleneck.ts'

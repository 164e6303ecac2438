export class ReferenceDevice { constructor() { throw new Error('stub') } }

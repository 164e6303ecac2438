// What commands print is compared without colours, wherever the tests run (CI asks for colours).
delete process.env.FORCE_COLOR
process.env.NO_COLOR = '1'

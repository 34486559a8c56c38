/** English texts of the area "talk". */

export const talk = {}

/** English texts of the area "conversation". */

export const conversation = {}

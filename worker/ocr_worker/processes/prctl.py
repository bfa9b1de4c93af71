"""What Linux' `prctl` is asked for: their numbers, apart from all that has to be imported with what asks."""

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38

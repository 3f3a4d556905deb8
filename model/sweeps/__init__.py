"""Many runs over values of lambda_IG and seeds."""

"""Are artifacts and images what the manifest and the stored maps say?"""
